"""What a MODEL argument is: a folder, a model in the box, or a repository on the Hugging Face Hub."""
