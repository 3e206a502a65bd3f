"""Where secrets stand in a text and how they are taken out: a module for each way in which people and programs write them."""
