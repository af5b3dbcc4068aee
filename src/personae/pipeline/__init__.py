"""From a film to its project folder: settings, the five stages, and the runner that calls them."""
