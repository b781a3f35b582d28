"""Training: labelled speech, minibatches, losses, schedules, and a loop that resumes with bitwise equal results."""
