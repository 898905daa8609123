"""What both programs need: errors as one line, configuration, files, the HDF5 layout, text and progress."""
