"""The control loops: each brings the objects of one namespace a step closer to what their specs say."""
