//! From a program to a plan: what is read, sent and asked, in which stages, and what it costs in calls.
