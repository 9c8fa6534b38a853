"""What the importers share: numbers as they were published, and XML in OpenMM's format with one element a line."""
import math
import os
from xml.sax.saxutils import quoteattr

HERE = os.path.dirname(os.path.abspath(__file__))
KCAL = 4.184
RMIN = 2 ** (5 / 6)  # sigma = RMIN times half of the distance of the minimum

MASSES = {"H": 1.008, "C": 12.01, "N": 14.01, "O": 16.0, "S": 32.06, "P": 30.97, "F": 19.0, "Cl": 35.45, "Br": 79.9, "I": 126.9,
          "Li": 6.94, "Na": 22.99, "K": 39.1, "Rb": 85.47, "Cs": 132.91}


def recover(value, unit, decimals, printed):
    """The number of at most `decimals` decimals in `unit` from which `value` was made and rounded to `printed` significant digits.
    Files of other programs round sigma to six digits; Amber's give the half distance of the minimum with four decimals, exactly."""
    if value == 0:
        return 0.0
    for n in range(decimals + 1):
        exact = round(value / unit, n)
        if exact and abs(exact * unit / value - 1) <= 0.51 * 10 ** (1 - printed) * (10 ** math.floor(math.log10(abs(value))) / abs(value)):
            return exact
    raise ValueError(f"{value} is no number of {decimals} decimals in units of {unit}")


def number(value):
    """Twelve significant digits: more than any table has, and free of the last bit's noise."""
    return repr(float(f"{value:.12g}"))


def sigma(half_minimum):
    """nm, from half of the distance of the minimum [A]."""
    return number(half_minimum * RMIN / 10)


class Writer:
    def __init__(self, name, lines):
        """`lines`: what it is, from where, what to cite."""
        self.path = os.path.join(HERE, name)
        text = "\n     ".join(lines)
        assert "--" not in text
        self.text = f"<!-- {text} -->\n<ForceField>\n"
        self.depth = 1

    def element(self, tag, children=None, **attributes):
        head = " " * self.depth + "<" + tag + "".join(f" {k}={quoteattr(str(v))}" for k, v in attributes.items())
        if children is None:
            self.text += head + "/>\n"
            return
        self.text += head + ">\n"
        self.depth += 1
        children()
        self.depth -= 1
        self.text += " " * self.depth + f"</{tag}>\n"

    def end(self, check):
        """Writes the file; with `check` compares with the one that is there and returns whether they have the same lines: releases of the
        sources have them in different orders."""
        text = self.text + "</ForceField>\n"
        if check:
            with open(self.path) as f:
                same = sorted(f.read().splitlines()) == sorted(text.splitlines())
            print(f"{os.path.basename(self.path)}: {'as generated' if same else 'DIFFERS from what its importer makes'}")
            return same
        with open(self.path, "w") as f:
            f.write(text)
        print(f"{os.path.basename(self.path)}: {len(text)} bytes")
        return True
