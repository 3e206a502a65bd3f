"""What detectors read out of a snapshot: which revision ran, what differs, how a container failed, what its log blames.

Facts only: which fault explains them is for the detectors.
"""
