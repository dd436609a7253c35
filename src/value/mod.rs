//! Values of both systems: exact amounts, texts with lengths, codes, times. Arithmetic only; nothing here knows an API.
