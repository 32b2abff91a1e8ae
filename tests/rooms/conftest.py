"""The commands of the rooms, for the tests of this folder."""

from rooms.room_files import qonys  # noqa: F401
