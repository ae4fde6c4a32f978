//! the program: command line, configuration, wiring of the three roles.
