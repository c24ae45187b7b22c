"""Names that the graphs, the manifests and the evaluation share. No PyTorch here, so that the evaluation needs none."""

OBSERVATIONS = "observations"
PROBABILITY = "probability"
CONTRIBUTIONS = "contributions"
INPUT_CHECKS = "input_checks"

CHECK_LABELS = ("EXTREME_VALUE", "COUPLING", "OBSERVATION_RATE", "FLAT_LINE", "OUT_OF_RANGE")
FLAG_AT = 1.0
REFUSE_AT = 3.0

FULL = "sepsis-full"
DISTILLED = "sepsis-distilled"
BANDS = ("LOW", "LOW_MEDIUM", "MEDIUM", "HIGH")
MODEL_FILE = "model.onnx"
