"""What people call a colour, by its hue, and the colour that most of a thing has."""
import numpy as np

HUES = (15, 40, 70, 160, 190, 255, 305, 345, 360)  # degrees: where the names below end
OF_HUES = ('red', 'orange', 'yellow', 'green', 'teal', 'blue', 'purple', 'pink', 'red')
NAMES = ('red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown', 'gray', 'white', 'black', 'teal')
MOST = .6  # share of a thing's pixels above which their colour is its own


def named(rgb):
    """Colours (N, 3) within 0..1 -> indices into NAMES (N)."""
    high, low = rgb.max(1), rgb.min(1)
    spread = high - low
    r, g, b = (rgb / np.maximum(spread, 1e-6)[:, None]).T
    hue = 60 * np.where(high == rgb[:, 0], (g - b) % 6, np.where(high == rgb[:, 1], b - r + 2, r - g + 4))
    saturation = spread / np.maximum(high, 1e-6)
    names = np.array([NAMES.index(name) for name in OF_HUES])[np.searchsorted(HUES, hue, side='right') % len(HUES)]
    names[(hue < 45) & (high < .65)] = NAMES.index('brown')
    names[(hue < 15) & (high < .75) & (high > .5) & (saturation > .7)] = NAMES.index('red')
    names[((hue < 15) | (hue > 330)) & (saturation < .55) & (high > .75)] = NAMES.index('pink')
    names[(saturation < .18) & (high < .85)] = NAMES.index('gray')
    names[(saturation < .12) & (high >= .85)] = NAMES.index('white')
    names[high < .22] = NAMES.index('black')
    return names


def main_colour(rgb, alpha):
    """The name of the colour that most solid pixels of a premultiplied sprite (S, S, 3), (S, S, 1) have, or None where
    no colour has most of them."""
    step = max(1, len(rgb) // 16)
    solid = rgb[::step, ::step][alpha[::step, ::step, 0] > .8]
    if not len(solid):
        return None
    shares = np.bincount(named(solid), minlength=len(NAMES)) / len(solid)
    return NAMES[shares.argmax()] if shares.max() > MOST else None
