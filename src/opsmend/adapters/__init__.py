"""The only importers of vendor clients. Each speaks a port of domain/ports and turns vendor errors into ours."""
