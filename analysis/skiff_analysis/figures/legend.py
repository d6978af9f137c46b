"""A legend below the axes, at a fixed distance in inches, for which the figure grows."""

from matplotlib.transforms import ScaledTranslation

ROW = 0.155  # in


def legend_below(axes, columns=2, distance=0.44, title=None):
    """Puts the legend of `axes` below its label; long entries take one column."""
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    if max(map(len, labels)) > 24:
        columns = 1
    figure = axes.figure
    rows = -(-len(labels) // columns) + (title is not None)
    if not getattr(figure, "grown", 0) >= rows:
        width, height = figure.get_size_inches()
        figure.set_size_inches(width, height + ROW * (rows - getattr(figure, "grown", 0)))
        figure.grown = rows
    below = axes.transAxes + ScaledTranslation(0, -distance, figure.dpi_scale_trans)
    axes.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, ncol=columns,
                title=title, title_fontsize=7, borderaxespad=0)
