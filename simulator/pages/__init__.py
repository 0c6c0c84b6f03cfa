"""Pages: one HTML file that needs no network, of texts, tables that sort and filter, and charts."""
