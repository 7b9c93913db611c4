"""Gérer la collecte de la courbe de charge: ask for it, end it, oppose it, for one meter or for many."""
