"""`wanmi devices …`: what the technician does with serial devices at the box."""
