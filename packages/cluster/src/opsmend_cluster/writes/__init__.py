"""How a write becomes an object: decoding, patches, defaults, validation, admission, managed fields, deletion."""
