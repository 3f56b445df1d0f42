"""What the browser shows: HTML of cards and lists, example questions, the service behind the app, its look."""
