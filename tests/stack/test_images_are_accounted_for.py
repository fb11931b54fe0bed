"""No image of the stack is a stand-in that nobody tells of."""

from tools.cluster.local import substitutions
from tools.stack import locate_stack


def test_every_image_is_the_real_thing_or_a_known_stand_in() -> None:
    assert set(locate_stack().images) == {*substitutions.REAL_IMAGES, *substitutions.IMAGES}
