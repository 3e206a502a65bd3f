"""What the cluster holds: kinds, the store with its versions and watch history, selectors, quantities, error bodies."""
