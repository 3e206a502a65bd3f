"""For installations without a chat service: notices go to the log, approvals come by CLI and HTTP."""
