"""Training: labelled speech, minibatches, losses, schedules, and a loop that can be resumed."""
