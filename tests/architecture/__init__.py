# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tree promises about itself: who includes and links whom, and how files look."""
