"""Where the paper contradicts itself, a module a subject; each has a function that returns what it found."""
