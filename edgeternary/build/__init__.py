"""What turns a plan into files: C sources and objects, images of boards, netlists, bitstreams, projects."""
