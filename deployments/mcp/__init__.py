"""The MCP door: what an agent may ask of a cluster and of Healflow's memory. It reads; it never changes a cluster."""
