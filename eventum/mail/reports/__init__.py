"""What programs say about mail (`reader`): failed, delayed, read, absent; whom it concerns, why, and which mail."""
