//! Followers read the log from their own position and do what must follow from it. Each can be rebuilt from zero.
