"""Pages in a headless browser, and servers without a network."""
