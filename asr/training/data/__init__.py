"""What training learns from: the speech of a split, changed for each epoch, in minibatches."""
