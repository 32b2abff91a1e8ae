"""Settlement: who stays, by which support and at what cost, and which household goes to which region."""
