"""Generated from proto/stepdown/api/oip: the Open Inference Protocol, under the protobuf package that it names itself."""
