"""Memory of earlier incidents in Milvus (or Milvus Lite), with embeddings computed locally."""
