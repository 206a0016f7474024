"""The SDK: a live, complete copy of an account's list of conversations."""
