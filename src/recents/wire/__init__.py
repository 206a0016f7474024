"""The bytes: frames, their encoding and limits, and who may say what when."""
