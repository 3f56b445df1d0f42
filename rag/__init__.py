"""A question's way: question -> citation | search -> hits -> answer."""
