"""Write signed-ready bundles: the graph, its manifest, known answers, drift reference, card and provenance."""
