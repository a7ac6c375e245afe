"""What is shown of stored results. Reads run folders and nothing else; grading never reports."""
