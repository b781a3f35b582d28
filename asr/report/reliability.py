"""The reliability plot of confidences as SVG."""

from asr.report.svg import figure, line, number, text
from asr.scoring.calibration import Calibration

SIDE, LEFT, TOP = 240, 44, 26


def reliability_plot(calibration: Calibration) -> str:
    """Accuracy over confidence, one dot per bin; its area is the bin's share of the phones.

    Well calibrated dots lie on the diagonal.
    """

    def x(value: float) -> float:
        return LEFT + SIDE * value

    def y(value: float) -> float:
        return TOP + SIDE * (1 - value)

    parts = [text(LEFT, TOP - 10, "Share of phones that are right")]
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        parts += [line(x(0), y(tick), x(1), y(tick)), line(x(tick), y(0), x(tick), y(1))]
        parts.append(text(x(0) - 6, y(tick) + 4, f"{tick:g}", "end", "muted"))
        parts.append(text(x(tick), y(0) + 16, f"{tick:g}", "middle", "muted"))
    parts.append(line(x(0), y(0), x(1), y(1)))
    for each in calibration.bins:
        radius = max(2.0, 24 * (each.phones / calibration.phones) ** 0.5)
        hint = f"{each.phones} phones: confidence {each.confidence:.2f}, {each.accuracy:.2f} right"
        parts.append(
            f'<circle cx="{number(x(each.confidence))}" cy="{number(y(each.accuracy))}" r="{number(radius)}" '
            f'class="good" fill-opacity="0.6"><title>{hint}</title></circle>'
        )
    error = f"expected calibration error {calibration.expected_calibration_error:.3f}"
    parts.append(text(LEFT, y(0) + 34, f"Confidence; {error}"))
    return figure(LEFT + SIDE + 16, TOP + SIDE + 44, parts, f"Reliability of the confidences: {error}")
