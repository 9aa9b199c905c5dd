"""Downloads files into the cache, from http(s) and object stores, and unpacks archives."""
