"""Pools of names from many places, and how the demo company makes a mail address of them. All people are invented."""

import unicodedata

_FIRST = (
    "Annika Björn Çağla Dominik Élise Fabian Gülay Henrik Ingrid Jürgen Katarzyna Lukáš Márta Nils Oğuz Paulína "
    "Quirin Renée Søren Tomás Ursula Vojtěch Wiebke Xenia Yannick Zoë Agnieszka Bogdan Chiara Dušan Emre Francesca "
    "Göran Hedwig Ilse João Klára Leif Mireille Noémie Ømer Petra Rasmus Sibel Thérèse Urs Valérie Willem Yusuf Željka "
    "Astrid Benedikt Clémence Dörte Egon Frida Gregor Heidrun Ivo Jorinde Kasimir"
)

_LAST = (
    "Achterberg Bögner Cieślak Dörfler Eßlinger Fägerström Grünwald Höltje Ilgner Jäckle Kübler Löffler Müngersdorf "
    "Nørgaard Öztürk Pfändler Quandt Rübsamen Schäufele Tschümperlin Überall Völkening Wächtersbach Xylander Yıldız "  # noqa: RUF001 - Turkish
    "Zürcher Ackermann Brunnhuber Czerny Dąbrowa Engström Fröhlich Gąsior Hörmansdorfer Imhasly Jørgensen Krähenbühl "
    "Lütgens Mäkelä Nägeli Obrist Przybylski Rägle Sjöberg Tönnies Uhlmann Vögtli Wüthrich Zäch Åkesson Bärlocher "
    "Christoffersen Dürrenmatt Ehrensperger Füssli Gägauf Häberli Isaksson Jónsdóttir Kępka Lundqvist Möckli Nyström "
    "Östberg Pålsson Rosengren Süssmilch Tørresen Ullrich Vrána Wójtowicz Zbinden Baümler Cantieni Dvořáček Erdoğmuş "
    "Feuerstein Göransson Hüsler Jankauskas Köstlin Lindmoser Maurhofer"
)
FIRST = tuple(_FIRST.split())
"""61 given names."""
LAST = tuple(_LAST.split())
"""83 family names; 61 and 83 have no common divisor, so that walking through both at once repeats no pair."""

_SPELLED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "ł": "l", "đ": "d", "\u0131": "i", "æ": "ae"}
)


def mail_name(first: str, last: str) -> str:
    """Return `first.last` in plain letters, as the company writes names in addresses."""
    spelled = f"{first}.{last}".lower().translate(_SPELLED)
    decomposed = unicodedata.normalize("NFKD", spelled)
    return "".join(letter for letter in decomposed if letter.isascii() and (letter.isalnum() or letter in ".-"))


def pair(number: int) -> tuple[str, str]:
    """Return the given and family name of the ordinary person with this number."""
    return FIRST[number % len(FIRST)], LAST[number % len(LAST)]
