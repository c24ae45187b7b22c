"""Turn stays into fitted models. Needs the `train` extra; nothing here is needed to judge or to serve a model."""
