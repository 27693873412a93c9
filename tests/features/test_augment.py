"""Views of pictures differ in what a network is to learn not to mind, and in nothing else."""

import numpy as np
import torch

from astronomaly_widgets.features._augment import Views


def test_views_differ_in_what_a_person_asks_for_and_are_never_beyond_black_and_white():
    pictures = torch.rand(40, 3, 32, 32)
    views = Views(28)(pictures, torch.Generator().manual_seed(0))
    assert views.shape == (40, 3, 28, 28)
    assert views.min() >= 0
    assert views.max() <= 1
    again = Views(28)(pictures, torch.Generator().manual_seed(0))
    torch.testing.assert_close(views, again, rtol=0, atol=0)
    assert (views[0] - views[1]).abs().mean() > 0.1


def test_views_are_turned_by_any_angle_and_half_of_them_mirrored():
    y, x = np.mgrid[:64, :64] - 31.5
    angle = np.arctan2(y, x)  # darkest and brightest meet where the view's zero points
    picture = torch.from_numpy(np.stack([np.cos(angle), np.sin(angle), 0 * x])).float() / 2 + 0.5
    still = Views(64, area=1.0, blur=0.0, jitter=0.0)
    views = still(picture.expand(600, 3, 64, 64), torch.Generator().manual_seed(0))
    middle = views[:, :2, 16:48, 16:48] - 0.5
    right = middle[..., 20:].mean(dim=(2, 3))  # where the right of each view comes from
    turned = torch.atan2(right[:, 1], right[:, 0]).numpy()
    counts, _ = np.histogram(turned, bins=6, range=(-np.pi, np.pi))
    assert counts.min() > 60
    below = middle[..., 20:, :].mean(dim=(2, 3))
    handed = np.sign((right[:, 0] * below[:, 1] - right[:, 1] * below[:, 0]).numpy())
    assert 0.4 < (handed > 0).mean() < 0.6
    grey = still(torch.full((9, 3, 64, 64), 0.25), torch.Generator().manual_seed(1))
    torch.testing.assert_close(grey[..., 32, 32], torch.full((9, 3), 0.25))


def test_views_show_four_fifths_to_all_of_the_area():
    x = (torch.arange(64) - 31.5) / 64
    picture = torch.stack([x.expand(64, 64), x.expand(64, 64).T, torch.zeros(64, 64)]) + 0.5
    views = Views(32, blur=0.0, jitter=0.0)(
        picture.expand(500, 3, 64, 64), torch.Generator().manual_seed(0)
    )
    right = (views[..., 16, 24] - views[..., 16, 8])[:, :2]
    down = (views[..., 24, 16] - views[..., 8, 16])[:, :2]
    area = (right[:, 0] * down[:, 1] - right[:, 1] * down[:, 0]).abs() * 16  # of a quarter
    assert 0.8 <= area.min() < 0.82
    assert 0.98 < area.max() <= 1.0001


def test_blur_and_color_change_as_many_views_as_they_should():
    pictures = torch.rand(400, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    blurred = Views(24, blur=0.25)._blurred(pictures, generator)
    changed = (blurred != pictures).flatten(1).any(dim=1)
    assert 70 < changed.sum() < 130
    assert (blurred[changed].std(dim=(2, 3)) < 0.7 * pictures[changed].std(dim=(2, 3))).all()
    flat = torch.full((400, 3, 24, 24), 0.5)
    flat[:, 0] = 0.3
    torch.testing.assert_close(Views(24, blur=1.0)._blurred(flat, generator), flat)
    colored = Views(24)._colored(flat, generator)
    changed = (colored - flat).flatten(1).abs().amax(dim=1) > 1e-6
    assert 290 < changed.sum() < 350
    luminance = torch.tensor([0.299, 0.587, 0.114]) @ colored[..., 0, 0].T
    assert luminance.min() < 0.3
    assert luminance.max() > 0.6
    grey = Views(24, jittered=1.0)._colored(torch.full((50, 3, 8, 8), 0.5), generator)
    torch.testing.assert_close(grey[:, 0], grey[:, 2])  # what is grey stays grey
    assert Views(24, jitter=0.0)._colored(flat, generator).allclose(flat, atol=1e-6)
