# A company keeps one administrator at least.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
When Diane detaches Diane from Forges -> LastAdministrator
When Diane makes Diane a user of Forges -> LastAdministrator
When Diane makes Anna an administrator of Forges
When Anna detaches Diane from Forges
Then Diane acts for nobody
When Anna makes Anna a user of Forges -> LastAdministrator
Then Anna administers Forges now
