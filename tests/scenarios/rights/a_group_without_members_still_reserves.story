# Given to a group that nobody belongs to, a service is for the administrators alone.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Réservé is a group of Forges: nobody
When Diane gives meters on all points to Réservé
Then Anna and Bruno use meters on nothing
Then Diane uses meters on P1, P2, P3
