"""One HTML page of a whole sweep: collect.py gathers its numbers, page.* shows them, write.py joins both."""
