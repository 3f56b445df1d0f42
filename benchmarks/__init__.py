"""Commands that measure what README and the documents state, one a table; they are run by hand, not by the tests."""
