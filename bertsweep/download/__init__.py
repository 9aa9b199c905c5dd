"""Files from addresses, fetched into the cache: http(s), object stores, archives."""
