"""One figure a module. Each has data(...), the frame behind the figure, and draw(...), its picture."""
