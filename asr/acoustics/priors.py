"""From posteriors to scaled likelihoods, the scores of an HMM's states."""

import numpy as np
import numpy.typing as npt

PRIOR_FLOOR = 1e-5
"""The posterior of a class that training hardly saw is mostly noise, which a prior near 0 would make a high
likelihood."""


def scaled_likelihoods(
    log_posteriors: npt.NDArray[np.float32], priors: npt.NDArray[np.float64], prior_scale: float = 1.0
) -> npt.NDArray[np.float32]:
    """log p(class | frame) - prior_scale * log p(class), natural, [T, C] from [T, C] and priors [C] (probabilities).

    With a scale of 1 it is log p(frame | class) up to a constant of the frame, by Bayes' rule (Bourlard & Morgan 1994,
    Connectionist speech recognition). A smaller one also trusts the training set's share of each class: dev decides.
    """
    return log_posteriors - (prior_scale * np.log(np.maximum(priors, PRIOR_FLOOR))).astype(np.float32)
