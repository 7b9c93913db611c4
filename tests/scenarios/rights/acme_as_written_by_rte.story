# RTE Services Portal, "Managing user groups", worked example: the company ACME has the entities ACME1 (connection
# points P1 and P2) and ACME2 (P3). G1 is restricted to P1 and P2 for the service "Contract Power Exceedance
# Notification"; G2 is enabled for it without a scope, and sees all points.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna is a user of Forges
Given Bruno is a user of Forges
Given Carla is a user of Forges
Given G1 is a group of Forges: Anna
Given G2 is a group of Forges: Bruno
Given G1 has alerts on P1, P2
Given G2 has alerts on all points
Then Anna uses alerts on P1, P2
Then Bruno uses alerts on P1, P2, P3
Then Carla uses alerts on nothing
Then Carla may not use alerts: reserved (G1, G2)
Then Anna may not use alerts on P3: outside perimeter (G1)
Then Diane uses alerts on P1, P2, P3
