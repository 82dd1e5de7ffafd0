"""One server process: HTTP, the writer, and the tasks around them."""
